//! Runs the conformance cases of `tests/conformance` (pytest with boto3) against the double, and against moto.
//!
//! The Python packages are installed into a virtual environment in the target folder once, and again when
//! `requirements.txt` changes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};

use kube_glue_double::Double;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../conformance");

/// The virtual environment's Python.
static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance-venv");
    let wanted = fs::read_to_string(Path::new(CASES).join("requirements.txt")).unwrap();
    // Another process may be installing the same environment.
    let lock = File::create(home.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let python = home.join("bin/python");
    let stamp = home.join("installed.txt");
    if fs::read_to_string(&stamp).ok().as_deref() != Some(&wanted) {
        if home.exists() {
            fs::remove_dir_all(&home).unwrap();
        }
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&home));
        succeed(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"])
                .current_dir(CASES),
        );
        fs::write(&stamp, &wanted).unwrap();
    }
    python
});

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(output.status.success(), "{command:?} failed:\n{}", text(&output));
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn cases(target: &str, url: Option<&str>) {
    let mut pytest = Command::new(&*PYTHON);
    pytest
        .args(["-m", "pytest", "--target", target, "-rxX"])
        .current_dir(CASES)
        .env_clear()
        .envs(std::env::vars().filter(|(name, _)| ["PATH", "HOME", "TMPDIR", "LANG"].contains(&name.as_str())))
        .envs([
            ("PYTHONDONTWRITEBYTECODE", "1"),
            // The credentials for moto. The cases for the double use the double's own keys.
            ("AWS_ACCESS_KEY_ID", "testing"),
            ("AWS_SECRET_ACCESS_KEY", "testing"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]);
    if let Some(url) = url {
        pytest.env("DOUBLE_URL", url);
    }
    succeed(&mut pytest);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_double_passes_the_cases_with_boto3() {
    let double = Double::start().await.unwrap();
    let url = double.url();
    tokio::task::spawn_blocking(move || cases("double", Some(&url))).await.unwrap();
    assert!(double.requests().total() > 0, "no case called this double");
}

#[test]
fn moto_passes_the_cases_except_those_marked_moto_differs() {
    cases("moto", None);
}
