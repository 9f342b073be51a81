//! Tells the linker where the prebuilt DuckDB library lies, so that a built binary finds it when
//! it runs. The bundled build needs no library and gets no run path.

fn main() {
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    println!("cargo::rerun-if-env-changed=CARGO_FEATURE_BUNDLED");
    if std::env::var_os("CARGO_FEATURE_BUNDLED").is_some() {
        return;
    }
    if let Some(dir) = std::env::var_os("DUCKDB_LIB_DIR") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{}", dir.display());
    }
}
