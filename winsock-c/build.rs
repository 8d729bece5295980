//! Tells the linker what programs shall know the shared object by; without it, by the path that it
//! had when they were linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libwinsock.so");
    }
}
