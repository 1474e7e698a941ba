"""The command line as a person meets it: quick help, one-line errors, documented exit codes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scorer.planted import plant
from scorer.planted_plan import Plan
from tests.gameday.kubernetes import kubeconfig_for

REPOSITORY = Path(__file__).parents[2]
RUN = ("run", "experiments/pod-kill.yaml", "--load", "loadprofiles/steady.py")


def gameday(*arguments: str, cwd: Path = REPOSITORY, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a shell would."""
    return subprocess.run(
        [sys.executable, "-m", "gameday", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )


def one_line(text: str) -> str:
    """The one line that an error is; fails where it is more, or a traceback."""
    assert text.startswith("gameday: "), text
    assert text.count("\n") == 1, text
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize("command", ["run", "plan", "score", "passrate", "compare", "recover", "sandbox", "completion"])
def test_every_subcommand_has_help_with_examples(command: str) -> None:
    done = gameday(command, "--help")
    assert done.returncode == 0
    assert "Examples:" in done.stdout
    assert f"gameday {command}" in done.stdout


def test_the_command_alone_tells_what_there_is() -> None:
    done = gameday("--help")
    assert done.returncode == 0
    for command in ("run", "plan", "score", "passrate", "compare", "recover", "sandbox", "completion"):
        assert f"\n  {command} " in done.stdout


def test_help_imports_nothing_heavy() -> None:
    """The start of the command is a feature; a heavy import at the top of a module would creep in unseen."""
    program = (
        "import sys; from gameday.cli import invoke; invoke(['--help']); "
        "heavy = {'numpy', 'pyarrow', 'pydantic', 'kubernetes', 'rich', 'locust'}; "
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: str) -> None:
    done = gameday("completion", shell)
    assert done.returncode == 0
    assert "_GAMEDAY_COMPLETE" in done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_shell_completes_subcommands() -> None:
    done = gameday(_GAMEDAY_COMPLETE="bash_complete", COMP_WORDS="gameday s", COMP_CWORD="1")
    assert sorted(line.partition(",")[2] for line in done.stdout.split()) == ["sandbox", "score"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("bogus",), "No such command 'bogus'"),
        (("run",), "Missing argument 'EXPERIMENT'"),
        (("run", "experiments/pod-kill.yaml"), "Missing option '--load'"),
        (("run", "--bogus"), "No such option"),
        ((*RUN, "--rate", "-1"), "-1"),
        (("run", "none.yaml", "--load", "loadprofiles/steady.py"), "none.yaml: no such experiment"),
        (("run", "experiments/pod-kill.yaml", "--load", "none.py"), "none.py: no such load profile"),
        ((*RUN, "--targets", "none.yaml"), "none.yaml: no such targets file"),
        ((*RUN, "--drill", "moon-landing"), "says nothing about the drill 'moon-landing'"),
        (("score", "none"), "none: no such bundle"),
        (("score", "docs"), "docs: not a bundle"),
        (("recover", "none"), "none: no such bundle"),
        (("recover", "docs"), "no undo record"),
        ((*RUN, "--rate", "inf"), "inf is not a finite number"),
        ((*RUN, "--rate", "1e9"), "1000000000.0 is not in the range"),
        ((*RUN, "--duration", "0"), "0.0 is not in the range"),
        ((*RUN, "--users", "0"), "0 is not in the range"),
        ((*RUN, "--workers", "0"), "0 is not in the range"),
        ((*RUN, "--load-at", "nowhere"), "--load-at: 'nowhere' is not HOST:PORT"),
        ((*RUN, "--load-at", "127.0.0.1:8900"), "GAMEDAY_LOAD_TOKEN is not set"),
        ((*RUN, "--load-at", "127.0.0.1:8900", "--workers", "2"), "--workers is for this machine"),
        ((*RUN, "--warm-up", "nan"), "nan is not a finite number"),
        ((*RUN, "--context", ""), "kubeconfig"),
        (("completion", "cmd.exe"), "cmd.exe"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    done = gameday(*arguments, KUBECONFIG=str(tmp_path / "kubeconfig"))
    assert says in one_line(done.stderr)
    assert done.returncode == 2
    assert done.stdout == ""


def test_a_missing_kubeconfig_names_the_file_and_starts_nothing(tmp_path: Path) -> None:
    done = gameday(*RUN, "--runs", str(tmp_path / "runs"), KUBECONFIG=str(tmp_path / "kubeconfig"))
    assert str(tmp_path / "kubeconfig") in one_line(done.stderr)
    assert done.returncode == 2
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("options", "environment"),
    [(("--workers", "2"), {}), (("--load-at", "127.0.0.1:1"), {"GAMEDAY_LOAD_TOKEN": "t"})],
)
def test_a_profile_of_both_kinds_of_users_is_not_spread_over_processes(
    tmp_path: Path, kubeconfig: Path, options: tuple[str, ...], environment: dict[str, str]
) -> None:
    profile = tmp_path / "mixed.py"
    profile.write_text(
        "from locust import HttpUser, task\n"
        "from gameday.load.user import ArrivalUser\n"
        "class A(ArrivalUser):\n    @task\n    def a(self): pass\n"
        "class B(HttpUser):\n    @task\n    def b(self): pass\n"
    )
    run = ("run", "experiments/pod-kill.yaml", "--load", str(profile), *options)
    done = gameday(*run, KUBECONFIG=str(kubeconfig), **environment)
    assert "mixed.py: has ArrivalUsers and other users, which cannot share several processes" in one_line(done.stderr)
    assert done.returncode == 2


def test_a_broken_profile_is_told_with_its_line(tmp_path: Path, kubeconfig: Path) -> None:
    profile = tmp_path / "broken.py"
    profile.write_text("import os\n\ndef f(:\n")
    done = gameday("run", "experiments/pod-kill.yaml", "--load", str(profile), KUBECONFIG=str(kubeconfig))
    assert f"{profile}:3: " in one_line(done.stderr)
    assert done.returncode == 2


def test_a_file_that_is_no_experiment_is_told_with_its_line(kubeconfig: Path) -> None:
    done = gameday(
        "run", "Makefile", "--load", "loadprofiles/steady.py", "--drill", "pod-kill", KUBECONFIG=str(kubeconfig)
    )
    assert "Makefile:" in one_line(done.stderr)
    assert done.returncode == 2


def test_a_context_that_is_not_there_is_told_with_those_that_are(kubeconfig: Path) -> None:
    done = gameday(*RUN, "--context", "moon", KUBECONFIG=str(kubeconfig))
    assert "no context 'moon'; give one of us-east-1" in one_line(done.stderr)
    assert done.returncode == 2


@pytest.mark.parametrize("host", ["localhost:8080", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999"])
def test_a_host_that_is_no_url_is_told_before_anything_starts(host: str, kubeconfig: Path) -> None:
    done = gameday(*RUN, "--host", host, KUBECONFIG=str(kubeconfig))
    assert "--host: " in one_line(done.stderr)
    assert done.returncode == 2


def test_a_host_whose_name_has_no_address_is_told_before_anything_starts(kubeconfig: Path) -> None:
    done = gameday(*RUN, "--host", "http://nowhere.invalid:1", KUBECONFIG=str(kubeconfig))
    assert "--host: nowhere.invalid does not resolve" in one_line(done.stderr)
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("rate = -5", "A: a rate must be from 0 to 100000 arrivals a second, not -5"),
        ("rate = float('nan')", "A: a rate must be from 0 to 100000 arrivals a second, not nan"),
        ("rate = 'fast'", "A: could not convert string to float: 'fast'"),
        ("rate = 1e7", "A: a rate must be from 0 to 100000 arrivals a second, not 1e+07"),
        ("max_inflight = 0", "A: max_inflight must be 1 or more"),
    ],
)
def test_a_profile_whose_figures_make_no_sense_is_told(body: str, says: str, tmp_path: Path, kubeconfig: Path) -> None:
    profile = tmp_path / "profile.py"
    profile.write_text(
        "from locust import task\nfrom gameday.load.user import ArrivalUser\n"
        f"class A(ArrivalUser):\n    {body}\n    @task\n    def get(self): pass\n"
    )
    done = gameday("run", "experiments/pod-kill.yaml", "--load", str(profile), KUBECONFIG=str(kubeconfig))
    assert f"{profile}: {says}" in one_line(done.stderr)
    assert done.returncode == 2


def test_users_of_a_profile_that_has_a_rate_are_refused(kubeconfig: Path) -> None:
    done = gameday(*RUN, "--users", "5", KUBECONFIG=str(kubeconfig))
    assert "--users says nothing of a load that comes by a schedule; set how much is sent with --rate" in one_line(
        done.stderr
    )
    assert done.returncode == 2


def test_a_password_in_the_host_is_refused_and_not_repeated(kubeconfig: Path) -> None:
    done = gameday(*RUN, "--host", "http://me:secret@127.0.0.1:1", KUBECONFIG=str(kubeconfig))
    assert "secret" not in one_line(done.stderr)
    assert done.returncode == 2


def test_a_kubeconfig_of_several_files_is_refused_because_chaosk8s_reads_only_one(kubeconfig: Path) -> None:
    done = gameday(*RUN, KUBECONFIG=f"{kubeconfig}:{kubeconfig}")
    assert "chaosk8s reads only one" in one_line(done.stderr)
    assert done.returncode == 2


def test_a_token_is_never_printed_with_an_error(tmp_path: Path) -> None:
    config = yaml.safe_load(yaml.safe_dump(kubeconfig_for("https://127.0.0.1:1", b"")))
    config["users"][0] = {"name": "u", "usr": {"token": "SECRETTOKEN"}}
    (tmp_path / "misspelt").write_text(yaml.safe_dump(config))
    config["users"][0] = {"name": "u", "user": {"token": "SECRETTOKEN\nx"}}
    (tmp_path / "broken").write_text(yaml.safe_dump(config))
    for name in ("misspelt", "broken"):
        done = gameday(*RUN, "--host", "http://127.0.0.1:1", KUBECONFIG=str(tmp_path / name))
        assert "SECRETTOKEN" not in one_line(done.stderr)
        assert done.returncode == 2


def test_a_reader_that_goes_away_changes_no_exit_code(tmp_path: Path) -> None:
    """`gameday score … | head` must not turn a verdict into "an objective failed"."""
    plant(tmp_path / "bundle", Plan(outages=()))
    targets = REPOSITORY / "runbook" / "targets.yaml"
    for extra in ([], ["--json"]):
        command = [
            sys.executable,
            "-m",
            "gameday",
            "score",
            str(tmp_path / "bundle"),
            "--targets",
            str(targets),
            *extra,
        ]
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, "wb") as nobody:
            done = subprocess.run(
                command, cwd=REPOSITORY, stdout=nobody, stderr=subprocess.PIPE, text=True, check=False
            )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""


def test_an_internal_error_is_one_line_too_unless_the_traceback_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import sys; from gameday import cli; cli.COMMANDS['run'] = ('no.such.module', 'x', 'x'); "
        "sys.exit(cli.invoke(['run']))"
    )

    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, **environment},
            check=False,
        )

    monkeypatch.delenv("GAMEDAY_TRACEBACK", raising=False)
    quiet = run()
    assert "internal error: ModuleNotFoundError" in one_line(quiet.stderr)
    assert quiet.returncode == 3
    assert "Traceback" in run(GAMEDAY_TRACEBACK="1").stderr
