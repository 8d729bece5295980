//! Programs that print what functions do: the same with our headers, for both kinds of wide
//! characters, and with mingw's.

use std::process::Command;

use super::{Libraries, include, output, scratch};
use crate::tree;
use crate::wine::Wine;

/// `winsock-c/tests/NAME.c`: the C run-time library's names beyond the standard, the thread pool,
/// what the system says of itself, pipes, atomic operations.
const PROGRAMS: [&str; 5] = ["crt", "pool", "system", "pipe", "interlocked"];

pub fn check(libraries: &Libraries) -> crate::Outcome {
    PROGRAMS.iter().try_for_each(|name| compare(name, libraries))
}

fn compare(name: &str, libraries: &Libraries) -> crate::Outcome {
    let source = tree::root().join(format!("winsock-c/tests/{name}.c"));
    let folder = scratch()?;
    let mut transcripts = Vec::new();
    for wide in ["-fno-short-wchar", "-fshort-wchar"] {
        let program = folder.join(format!("{name}{wide}"));
        let mut gcc = Command::new("gcc");
        gcc.args(["-O2", "-D_FORTIFY_SOURCE=2", "-w", wide, "-I"]).arg(include()).arg(&source);
        output(gcc.arg(&libraries.a).arg("-o").arg(&program))?;
        transcripts.push((wide, output(&mut Command::new(&program))?));
    }
    match Wine::find() {
        Ok(wine) => {
            let program = folder.join(format!("{name}.exe"));
            let mut gcc = Command::new("x86_64-w64-mingw32-gcc");
            gcc.args(["-w", "-D__USE_MINGW_ANSI_STDIO=0"]).arg(&source);
            output(gcc.arg("-o").arg(&program).args(["-lws2_32", "-lbcrypt", "-ladvapi32"]))?;
            let said = output(&mut wine.program(&program))?;
            transcripts.push(("under Wine", said.replace("\r\n", "\n")));
        }
        Err(why) => eprintln!("xtask: {why}"),
    }
    let (how, first) = &transcripts[0];
    for (other, said) in &transcripts[1..] {
        for (one, two) in first.lines().zip(said.lines()) {
            if one != two {
                return Err(format!("{name}.c, {how}: {one}\n{name}.c, {other}: {two}"));
            }
        }
        if first.lines().count() != said.lines().count() {
            return Err(format!("{name}.c stops short, {how} or {other}"));
        }
    }
    println!("{} lines of {name}.c are alike, {} times", first.lines().count(), transcripts.len());
    Ok(())
}
