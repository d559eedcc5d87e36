"""An older revision of lookaside, built beside today's, and both timed in turn on the same loads."""
import os
import subprocess
import sys


def build(root, revision):
    """The program of a revision, in build-against/ (kept for the next time). Exits with one line where that fails."""
    def git(*words):
        return subprocess.run(["git", "-C", root, *words], check=False, capture_output=True, text=True)
    commit = git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").stdout.strip()
    if not commit:
        sys.exit(f"bench: --against {revision}: not a revision of this repository")
    tree = os.path.join(root, "build-against", commit[:12])
    program = os.path.join(tree, "build/lookaside")
    if os.path.exists(program):
        return program
    print(f"bench: building {commit[:12]}", file=sys.stderr)
    git("worktree", "prune")
    added = git("worktree", "add", "--force", "--detach", tree, commit)
    if added.returncode != 0 and not os.path.isdir(tree):
        sys.exit(f"bench: {added.stderr.strip()}")
    for command in (["cmake", "--preset", "release"], ["cmake", "--build", "--preset", "release", "--target", "lookaside"]):
        built = subprocess.run(command, cwd=tree, check=False, capture_output=True, text=True)
        if built.returncode != 0:
            sys.exit(f"bench: {revision} does not build: {' '.join(command)} in {tree}")
    return program


def compare(run, old, new, loads, models, rounds):
    """Rows (load, model, instructions, old seconds, new seconds): the best of `rounds`, old and new taking turns, so
    that what slows the machine down for a while slows both."""
    rows = []
    for load in loads:
        for model in models:
            best = {}
            instructions = 0
            for _ in range(rounds):
                for program in (old, new):
                    done = run(program, model, load)
                    instructions = done.instructions
                    best[program] = min(done.seconds, best.get(program, done.seconds))
            rows.append((load, model, instructions, best[old], best[new]))
    return rows
