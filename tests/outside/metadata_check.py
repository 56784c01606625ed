"""Files of metadata, judged by libxml2 over the schema that stands in Salesforce's WSDL.

Arguments: the WSDL, and a folder. Each file of XML in it has to be valid as the type that its root element names; those whose
names start with `wrong-` must not be.
"""

import sys
from pathlib import Path

from lxml import etree

XSD = "http://www.w3.org/2001/XMLSchema"
METADATA = "http://soap.sforce.com/2006/04/metadata"


def schema_of(wsdl):
    root = etree.parse(wsdl).getroot()
    [schema] = [found for found in root.iter(f"{{{XSD}}}schema") if found.get("targetNamespace") == METADATA]
    declared = {element.get("name") for element in schema.findall(f"{{{XSD}}}element")}
    # The WSDL declares the elements of messages; a file has its type as its root.
    for kind in schema.findall(f"{{{XSD}}}complexType"):
        name = kind.get("name")
        if name not in declared:
            etree.SubElement(schema, f"{{{XSD}}}element", name=name, type=f"tns:{name}")
    return etree.XMLSchema(etree.fromstring(etree.tostring(schema)))


def main():
    wsdl, folder = sys.argv[1:]
    schema = schema_of(wsdl)
    judged = failed = 0
    for path in sorted(Path(folder).rglob("*")):
        if not path.is_file() or not path.read_bytes().startswith(b"<?xml"):
            continue
        judged += 1
        valid = schema.validate(etree.parse(path))
        if valid == path.name.startswith("wrong-"):
            failed += 1
            print(f"{path.name}: {'valid' if valid else schema.error_log}")
    print(f"{judged} judged, {failed} failed")
    return 1 if failed or not judged else 0


sys.exit(main())
