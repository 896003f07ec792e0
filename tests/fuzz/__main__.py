"""Coverage-guided fuzzing of all that reads bytes: `python -m fuzz SECONDS [HARNESS ...]`.

Each harness starts from its seeds in `corpus/` and from what earlier runs found, which lies in
`.fuzz/`. Ends with 1 if an input broke a property; the input is then kept and named.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

SHARES = {"sensors": 4, "pictures": 3, "names": 1, "recordings": 1, "snapshots": 1}
"""The harnesses, and how much of the time each gets."""

CORPUS = Path(__file__).parent / "corpus"
ROOT = CORPUS.parents[2]
WORK = ROOT / ".fuzz"
READERS = "*/codecs/*,*/config/measures.py,*/align/archive.py,*/alerts/archive.py"
WRITERS = "*/alert.py,*/homeassistant.py,*/publications.py"
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_:.%-]{1,30}")
_DONE = re.compile(r"^#(\d+)\s+DONE\s+cov: (\d+) .*exec/s: (\d+)", re.MULTILINE)
_BROKEN = re.compile(r"Test unit written to (\S+)")
_ERROR = " === Uncaught Python exception: ===\n"
_LIMITS = ("-max_len=20000", "-timeout=10", "-rss_limit_mb=2048")


def main() -> int:
    """Fuzz, say what was found, and measure how far it reached."""
    seconds, names = int(sys.argv[1]), sys.argv[2:] or list(SHARES)
    parts = sum(SHARES[name] for name in names)
    sound = [fuzz(name, max(1, seconds * SHARES[name] // parts)) for name in names]
    print(coverage(names))
    return 0 if all(sound) else 1


def fuzz(name: str, seconds: int) -> bool:
    """Run one harness for so long and print what came of it; False if a property was broken."""
    work = WORK / name
    grown, found, words, log = (work / part for part in ("corpus", "found", "words.dict", "log"))
    for directory in (grown, found):
        directory.mkdir(parents=True, exist_ok=True)
    words.write_text(dictionary(CORPUS / name), "ascii")
    # What was found earlier is tried first: it is found again until it is mended.
    command = [sys.executable, "-m", "fuzz.engine", name, grown, CORPUS / name, found, *_LIMITS]
    command += [f"-max_total_time={seconds}", f"-dict={words}", f"-artifact_prefix={found}/"]
    with log.open("wb") as output:
        ended = subprocess.run(
            [*map(str, command)], cwd=ROOT / "tests", stdout=output, stderr=output, check=False
        )
    report(name, seconds, log.read_text("utf-8", "replace"), len([*grown.iterdir()]))
    return not ended.returncode


def dictionary(seeds: Path) -> str:
    """The words of the seeds, for libFuzzer to put where it likes."""
    words = {word for path in seeds.iterdir() for word in _WORD.findall(path.read_bytes())}
    return "".join(f'"{word.decode()}"\n' for word in sorted(words)[:1000])


def report(name: str, seconds: int, said: str, inputs: int) -> None:
    """A line of figures, or the error and how to keep the input that made it."""
    if done := _DONE.search(said):
        runs, edges, rate = map(int, done.groups())
        figures = f"{runs:>10,} runs {rate:>7,}/s {edges:>6,} edges {inputs:>6,} inputs"
        print(f"{name:<12}{seconds:>4} s {figures}", flush=True)
        return
    print(f"{name:<12}BROKEN\n" + (said.partition(_ERROR)[2].partition("\n==")[0] or said[-2000:]))
    for path in map(Path, _BROKEN.findall(said)):
        copy = f"cp {path.relative_to(ROOT)} {CORPUS.relative_to(ROOT) / name}/NAME"
        print(f"Once it is mended, keep the input as a test:\n    {copy}", flush=True)


def coverage(names: list[str]) -> str:
    """Lines and branches of all that reads bytes which all inputs together reach."""
    tool = [sys.executable, "-m", "coverage"]
    environment = {**os.environ, "COVERAGE_FILE": str(WORK / "coverage")}
    inputs = [
        f"{name}={part}" for name in names for part in (CORPUS / name, WORK / name / "corpus")
    ]
    measure = [*tool, "run", "--branch", f"--include={READERS}", f"--omit={WRITERS}"]
    with (WORK / "log").open("wb") as output:
        subprocess.run(
            [*measure, "-m", "fuzz.replay", *inputs],
            cwd=ROOT / "tests",
            env=environment,
            stdout=output,
            stderr=output,
            check=False,
        )
    told = subprocess.run(
        [*tool, "report"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return told.stdout


if __name__ == "__main__":
    sys.exit(main())
