"""Every crate we link has a licence that deny.toml allows."""

import json
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
allowed = set(re.findall(r'^    "([^"]+)",', (root / "deny.toml").read_text(), re.M))
metadata = json.loads(
    subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--all-features"],
        cwd=root, check=True, capture_output=True, text=True,
    ).stdout
)


def accepted(expression):
    """Whether an SPDX expression can be met: any side of OR, each side of AND."""
    expression = expression.replace("/", " OR ").strip()
    while expression.startswith("(") and expression.endswith(")"):
        expression = expression[1:-1].strip()
    for word, combine in ((" OR ", any), (" AND ", all)):
        depth, parts, start = 0, [], 0
        for index in range(len(expression)):
            depth += {"(": 1, ")": -1}.get(expression[index], 0)
            if depth == 0 and expression.startswith(word, index):
                parts.append(expression[start:index])
                start = index + len(word)
        if parts:
            return combine(accepted(part) for part in [*parts, expression[start:]])
    return expression in allowed


packages = {package["id"]: package for package in metadata["packages"]}
used = {node["id"] for node in metadata["resolve"]["nodes"]}
bad = sorted(
    f"{package['name']} {package['version']}: {package['license']}"
    for package in packages.values()
    if package["id"] in used and not accepted(package["license"] or "none stated")
)
if bad:
    sys.exit("licences not in deny.toml:\n" + "\n".join(bad))
print(f"{len(used)} crates, all under licences that deny.toml allows")
