//! Where the tools are that `tests/setup` installs: Envoy and a Python with the SDKs.

use std::env;
use std::path::{Path, PathBuf};

/// The project's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is inside the project").to_owned()
}

/// Envoy: `DOORWARD_ENVOY`, else the one in `target/tools`. Panics with a remedy when there is none.
pub fn envoy() -> PathBuf {
    if let Some(path) = env::var_os("DOORWARD_ENVOY") {
        return existing(PathBuf::from(path));
    }
    let lib = root().join("target/tools/venv/lib");
    let pythons = std::fs::read_dir(&lib).into_iter().flatten().flatten();
    let found = pythons.map(|p| p.path().join("site-packages/envoy/_bin/envoy")).find(|path| path.is_file());
    found.unwrap_or_else(|| existing(lib.join("python3.*/site-packages/envoy/_bin/envoy")))
}

/// Python with the official SDKs: `DOORWARD_PYTHON`, else the one in `target/tools`.
pub fn python() -> PathBuf {
    let path = env::var_os("DOORWARD_PYTHON").map(PathBuf::from);
    existing(path.unwrap_or_else(|| root().join("target/tools/venv/bin/python")))
}

/// Python with the official MCP SDK: `DOORWARD_MCP_PYTHON`, else the one in `target/tools`.
pub fn mcp() -> PathBuf {
    let path = env::var_os("DOORWARD_MCP_PYTHON").map(PathBuf::from);
    existing(path.unwrap_or_else(|| root().join("target/tools/mcp/bin/python")))
}

/// Python with Presidio's analyzer: `DOORWARD_PRESIDIO_PYTHON`, else the one in `target/tools`.
pub fn presidio() -> PathBuf {
    let path = env::var_os("DOORWARD_PRESIDIO_PYTHON").map(PathBuf::from);
    existing(path.unwrap_or_else(|| root().join("target/tools/presidio/bin/python")))
}

/// Python with DuckDB and Playwright: `DOORWARD_REPORT_PYTHON`, else the one in `target/tools`, by `tests/setup-report`.
pub fn report() -> PathBuf {
    let path = env::var_os("DOORWARD_REPORT_PYTHON").map(PathBuf::from);
    let path = path.unwrap_or_else(|| root().join("target/tools/report/bin/python"));
    assert!(path.exists(), "`{}` does not exist; run `tests/setup-report`", path.display());
    path
}

/// The command line, built if it is not there: `DOORWARD_CLI`, else the one beside the tests.
pub fn cli() -> PathBuf {
    if let Some(path) = env::var_os("DOORWARD_CLI") {
        return existing(PathBuf::from(path));
    }
    let tests = env::current_exe().expect("the path of this process");
    let beside = tests.ancestors().nth(2).expect("tests are in target/PROFILE/deps").join("doorward");
    if !beside.is_file() {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = std::process::Command::new(cargo)
            .args(["build", "--quiet", "--package", "doorward-cli"])
            .current_dir(root())
            .status();
        assert!(built.is_ok_and(|status| status.success()), "doorward-cli does not build");
    }
    existing(beside)
}

/// The filter: `DOORWARD_WASM`, else the release build under `target`. `None` when it is not built.
pub fn wasm() -> Option<PathBuf> {
    let path = env::var_os("DOORWARD_WASM").map(PathBuf::from);
    Some(path.unwrap_or_else(|| root().join("target/wasm32-wasip1/release/doorward.wasm"))).filter(|p| p.is_file())
}

/// The filter with a trap in it (`make trap`): `DOORWARD_TRAP_WASM`, else the build under `target`. `None` when it is
/// not built.
pub fn wasm_with_trap() -> Option<PathBuf> {
    let path = env::var_os("DOORWARD_TRAP_WASM").map(PathBuf::from);
    Some(path.unwrap_or_else(|| root().join("target/wasm32-wasip1/trap/doorward.wasm"))).filter(|p| p.is_file())
}

/// An own directory under `target/e2e` for what a test process leaves behind (configuration, logs);
/// those of processes that are gone are removed.
pub fn scratch(name: &str) -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let base = root().join("target/e2e");
    std::fs::create_dir_all(&base).expect("create target/e2e");
    if NEXT.load(Ordering::Relaxed) == 0 {
        for old in std::fs::read_dir(&base).into_iter().flatten().flatten() {
            let pid = old.file_name().to_string_lossy().split('-').next().and_then(|p| p.parse::<u32>().ok());
            let finished = pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists());
            let recent = old.metadata().and_then(|m| m.modified()).ok().and_then(|t| t.elapsed().ok());
            if finished && recent.is_some_and(|age| age.as_secs() > KEEP_SECONDS) {
                std::fs::remove_dir_all(old.path()).ok();
            }
        }
    }
    let path = base.join(format!("{}-{}-{name}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    std::fs::create_dir_all(&path).expect("create a directory under target/e2e");
    path
}

/// Logs of a failed run stay readable this long.
const KEEP_SECONDS: u64 = 3600;

fn existing(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "`{}` does not exist; run `tests/setup`", path.display());
    path
}
