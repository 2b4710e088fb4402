"""The API against its own description: what schemathesis makes of the OpenAPI document."""

import asyncio
import random
import sys
from pathlib import Path

import pytest

from tests.servers import ServerProcess

EXAMPLES = 10  # of each operation and phase

# Valid by the document may still be wrong by a rule that JSON Schema cannot say: two of three
# parameters at once, a cursor of another list, a setting that the room's type cannot have.
EXCLUDED = "positive_data_acceptance"


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.parametrize("role", ["member", "admin"])
async def test_nothing_happens_that_is_not_described(
    server: ServerProcess, tmp_path: Path, role: str
) -> None:
    """No 5xx, no status, type or body that the document does not have, nothing wrong accepted."""
    seed = random.randrange(2**32)
    token = server.token("alice", name="Alice", roles=[] if role == "member" else [role])
    status, output = await _schemathesis(
        f"{server.url}/api/v1/openapi.json",
        f"--header=Authorization: Bearer {token}",
        "--checks=all",
        f"--exclude-checks={EXCLUDED}",
        "--continue-on-failure",
        f"--max-examples={EXAMPLES}",
        "--max-failures=20",
        f"--seed={seed}",
        cwd=tmp_path,
    )
    sys.stdout.write(f"seed {seed}\n{output.decode(errors='replace')}")
    assert status == 0
    assert b"Stateful" in output
    assert not [line for line in server.output if b"incident" in line]


async def _schemathesis(*arguments: str, cwd: Path) -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "schemathesis.cli",
        "run",
        *arguments,
        cwd=cwd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, output
