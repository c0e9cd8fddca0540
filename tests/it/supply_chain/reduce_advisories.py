"""Writes advisories.json: what RustSec's database says of versions, without its prose.

    git clone https://github.com/rustsec/advisory-db
    python3 reduce_advisories.py advisory-db > advisories.json
"""

import json
import subprocess
import sys
import tomllib


def main() -> None:
    clone = sys.argv[1]

    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", clone, *arguments], capture_output=True, check=True, text=True).stdout

    advisories = []
    for path in git("ls-tree", "-r", "--name-only", "HEAD", "crates/").split():
        if not path.endswith(".md"):
            continue
        document = tomllib.loads(git("show", f"HEAD:{path}").split("```toml", 1)[1].split("```", 1)[0])
        advisory, versions = document["advisory"], document.get("versions", {})
        if "withdrawn" in advisory:
            continue
        advisories.append(
            {
                "id": advisory["id"],
                "package": advisory["package"],
                "informational": advisory.get("informational"),
                "patched": versions.get("patched", []),
                "unaffected": versions.get("unaffected", []),
            }
        )
    commit, date = git("log", "-1", "--format=%H %cs").split()
    head = json.dumps({"source": "https://github.com/rustsec/advisory-db", "commit": commit, "date": date})
    rows = ",\n".join(json.dumps(advisory) for advisory in sorted(advisories, key=lambda one: one["id"]))
    print(f'{{"database": {head}, "advisories": [\n{rows}\n]}}')


main()
