//! Tells the linker where the DuckDB library lies, so that a built binary finds it when it runs: where
//! it was prebuilt, or, of a binary that is packed, where its packages put it. The bundled build needs
//! no library and gets no run path.

fn main() {
    for name in ["DUCKDB_LIB_DIR", "PMTAQ_RUN_PATH", "CARGO_FEATURE_BUNDLED"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let target = std::env::var_os("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=PMTAQ_TARGET={}", target.display());
    if std::env::var_os("CARGO_FEATURE_BUNDLED").is_some() {
        return;
    }
    let run_path =
        std::env::var_os("PMTAQ_RUN_PATH").or_else(|| std::env::var_os("DUCKDB_LIB_DIR"));
    if let Some(dir) = run_path {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{}", dir.display());
    }
}
