//! Functions: every one that is declared is in the library, with the parameters that its Rust
//! signature has.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

use super::{Libraries, include, names, output, scratch, write_file};
use crate::signatures::{self, Export};

pub fn check(libraries: &Libraries) -> crate::Outcome {
    let exports = signatures::exports()?;
    let declared = declared(&[])?;
    linked(libraries, &declared, &[])?;
    linked(libraries, &declared, &["-fshort-wchar"])?;
    let mut undeclared: BTreeSet<&str> = exports.iter().map(Export::windows_name).collect();
    for declaration in &declared {
        undeclared.remove(declaration.name.as_str());
    }
    if !undeclared.is_empty() {
        let names: Vec<&str> = undeclared.into_iter().collect();
        return Err(format!("exported but not declared: {}", names.join(" ")));
    }
    alike(&declared, &exports)
}

/// Every function that is declared, after its header.
pub fn functions() -> Result<Vec<(String, String)>, String> {
    let declared = declared(&[])?;
    Ok(declared.into_iter().map(|declaration| (declaration.header, declaration.name)).collect())
}

/// A function of our headers, as gcc repeats it.
struct Declaration {
    header: String,
    name: String,
    result: String,
    parameters: Vec<String>,
    variadic: bool,
}

/// Every function that the headers declare and do not define.
fn declared(flags: &[&str]) -> Result<Vec<Declaration>, String> {
    /// How the names begin of a program's own, and of glibc's under another name.
    const NOT_OURS: [&str; 3] = ["WinMain", "wWinMain", "winsock_unix_"];
    let folder = scratch()?;
    let source = folder.join("declared.c");
    let said = folder.join("declared.txt");
    write_file(&source, &includes()?)?;
    let mut gcc = Command::new("gcc");
    gcc.args(flags).arg("-I").arg(include()).arg("-aux-info").arg(&said);
    output(gcc.args(["-fsyntax-only", "-c"]).arg(&source))?;
    let said = std::fs::read_to_string(&said).map_err(|error| format!("-aux-info: {error}"))?;
    let ours = include().display().to_string();
    let all = said.lines().filter(|line| line.contains(&ours)).filter_map(declaration);
    let all =
        all.filter(|declaration| !NOT_OURS.iter().any(|name| declaration.name.starts_with(name)));
    let by_name: BTreeMap<String, Declaration> =
        all.map(|declaration| (declaration.name.clone(), declaration)).collect();
    Ok(by_name.into_values().collect())
}

fn includes() -> Result<String, String> {
    let mut text = String::from("#include <winsock2.h>\n");
    for name in names()? {
        let _ = writeln!(text, "#include <{name}>");
    }
    Ok(text)
}

/// `/* file:1:NC */ extern BOOL CloseHandle (HANDLE);`
fn declaration(line: &str) -> Option<Declaration> {
    let (place, line) = line.split_once("*/ extern ")?;
    let header = place.split(':').next()?.rsplit('/').next()?.to_owned();
    let open = line.find(" (")?;
    let head = &line[..open];
    let name_at = head.rfind(|c: char| !c.is_alphanumeric() && c != '_')? + 1;
    let (result, name) = head.split_at(name_at);
    let list = line[open + 2..].trim_end_matches(';').strip_suffix(')')?;
    let mut parameters = vec![String::new()];
    let mut depth = 0;
    for c in list.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parameters.push(String::new());
                continue;
            }
            _ => {}
        }
        parameters.last_mut()?.push(c);
    }
    let mut parameters: Vec<String> =
        parameters.into_iter().map(|parameter| parameter.trim().to_owned()).collect();
    let variadic = parameters.last().is_some_and(|last| last == "...");
    parameters.retain(|parameter| parameter != "void" && parameter != "VOID" && parameter != "...");
    Some(Declaration {
        header,
        name: name.to_owned(),
        result: result.trim().to_owned(),
        parameters,
        variadic,
    })
}

/// Links a program that takes the address of every function.
fn linked(libraries: &Libraries, declared: &[Declaration], flags: &[&str]) -> crate::Outcome {
    let mut text = includes()?;
    text.push_str("void *all[] = {\n");
    for Declaration { name, .. } in declared {
        let _ = writeln!(text, "    (void *)({name}),");
    }
    text.push_str("};\nint main(void) { return 0; }\n");
    let folder = scratch()?;
    let source = folder.join("linked.c");
    write_file(&source, &text)?;
    let mut gcc = Command::new("gcc");
    gcc.args(flags).arg("-w").arg("-I").arg(include()).arg(&source).arg(&libraries.a);
    output(gcc.arg("-o").arg(folder.join("linked")))?;
    println!("{} functions are declared and there {}", declared.len(), flags.join(" "));
    Ok(())
}

/// Compares the sizes of result and parameters with those in Rust.
fn alike(declared: &[Declaration], exports: &[Export]) -> crate::Outcome {
    let mut text = includes()?;
    let mut count = 0;
    let mut wrong = Vec::new();
    for declaration in declared {
        let name = &declaration.name;
        let Some(export) = exports.iter().find(|export| export.windows_name() == name) else {
            continue;
        };
        let Some(signature) = &export.signature else { continue };
        if declaration.variadic != signature.variadic
            || declaration.parameters.len() != signature.parameters.len()
        {
            wrong.push(format!(
                "{name}: {} parameters in C, {} in Rust",
                declaration.parameters.len(),
                signature.parameters.len()
            ));
            continue;
        }
        let in_c = declaration.parameters.iter().chain([&declaration.result]);
        let in_rust = signature.parameters.iter().chain([&signature.result]);
        for (c, rust) in in_c.zip(in_rust) {
            let Some(size) = rust else { continue };
            if name == "gethostname" && c == "size_t" {
                continue; // As glibc declares the same name; negative lengths are refused as such.
            }
            let size_in_c = match c.as_str() {
                "void" | "VOID" => "0".to_owned(),
                "__va_list_tag *" => "8".to_owned(),
                c => format!("(int)sizeof({c})"),
            };
            let _ = writeln!(text, "_Static_assert({size_in_c} == {size}, \"{name}: {c}\");");
        }
        count += 1;
    }
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    let source = scratch()?.join("alike.c");
    write_file(&source, &text)?;
    let mut gcc = Command::new("gcc");
    output(gcc.args(["-w", "-fsyntax-only", "-I"]).arg(include()).arg(&source))?;
    println!("{count} functions have the parameters of their Rust signatures");
    Ok(())
}
