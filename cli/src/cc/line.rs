//! A compiler's command line, read as far as `winsock cc` must understand it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

/// Options whose value is the next argument.
const WITH_VALUE: [&str; 36] = [
    "-o",
    "-I",
    "-D",
    "-U",
    "-L",
    "-l",
    "-x",
    "-B",
    "-T",
    "-u",
    "-e",
    "-z",
    "-A",
    "-include",
    "-imacros",
    "-isystem",
    "-iquote",
    "-idirafter",
    "-iprefix",
    "-iwithprefix",
    "-iwithprefixbefore",
    "-isysroot",
    "--sysroot",
    "--param",
    "-MF",
    "-MT",
    "-MQ",
    "-Xlinker",
    "-Xpreprocessor",
    "-Xassembler",
    "-Xclang",
    "-mllvm",
    "-target",
    "-aux-info",
    "-wrapper",
    "--std",
];
/// Options after which nothing is linked.
const NO_LINK: [&str; 7] = ["-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "-emit-ast"];
/// Options that ask the compiler something, for which it needs no input.
const QUESTIONS: [&str; 6] =
    ["-v", "-dumpversion", "-dumpfullversion", "-dumpmachine", "-dumpspecs", "--target-help"];
/// What Windows' own libraries are called. Here all of them are one.
const LIBRARIES: &str = include_str!("libraries.txt");
/// The entry points that start.c calls, as they are named in sources and in objects.
const ENTRY_POINTS: [&[u8]; 4] = [b"wmain", b"_tmain", b"WinMain", b"winsock_main"];
/// Options of mingw's compilers that choose between entry points, which here are found.
const OF_MINGW: [&str; 5] = ["-municode", "-mwindows", "-mconsole", "-mdll", "-mthreads"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    C,
    Cpp,
}

/// A file that is compiled or linked.
#[derive(Debug, PartialEq, Eq)]
pub struct Input {
    pub path: PathBuf,
    /// `None`: an object, an archive, or whatever the linker may make of it.
    pub language: Option<Language>,
    /// Where it stands among the arguments that are passed on.
    pub at: usize,
    /// Whether `-x` said its language.
    pub said: bool,
}

/// What the program asks of the compiler.
#[derive(Debug, Default)]
pub struct Line {
    /// All arguments but the names of Windows' libraries, in order.
    pub passed: Vec<OsString>,
    pub inputs: Vec<Input>,
    /// Folders in which the program's own headers are looked for.
    pub folders: Vec<PathBuf>,
    pub links: bool,
    /// It asks something, and needs no input.
    pub asks: bool,
    /// What is linked is a shared object.
    pub makes_shared: bool,
    /// It says whether the program may be loaded anywhere.
    pub says_pie: bool,
    pub sanitizes: bool,
    pub short_wchar: bool,
}

impl Line {
    pub fn read(arguments: &[OsString]) -> Line {
        let mut line = Line { links: true, ..Line::default() };
        // Until `-x none`.
        let mut said: Option<Option<Language>> = None;
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let text = argument.to_str().unwrap_or_default();
            if WITH_VALUE.contains(&text) {
                let value = rest.next();
                let named = value.and_then(|value| value.to_str()).unwrap_or_default();
                match text {
                    "-l" if is_windows_library(named) => continue,
                    "-x" => said = language_said(named),
                    "-I" | "-iquote" | "-isystem" | "-idirafter" => {
                        line.folders.extend(value.map(PathBuf::from));
                    }
                    _ => {}
                }
                line.passed.push(argument.clone());
                line.passed.extend(value.cloned());
                continue;
            }
            if is_left_out(text) {
                continue;
            }
            if !text.starts_with('-') || text == "-" {
                let path = PathBuf::from(argument);
                let language = said.unwrap_or_else(|| language_of(&path));
                let at = line.passed.len();
                line.inputs.push(Input { path, language, at, said: said.is_some() });
            } else {
                line.read_option(text);
                if let Some(named) = text.strip_prefix("-x") {
                    said = language_said(named);
                }
            }
            line.passed.push(argument.clone());
        }
        line
    }

    fn read_option(&mut self, text: &str) {
        if let Some(folder) = text.strip_prefix("-I") {
            self.folders.push(folder.into());
        }
        self.links &= !NO_LINK.contains(&text) && text != "-r";
        self.asks |= QUESTIONS.contains(&text)
            || text == "--version"
            || text.starts_with("-print-")
            || text.starts_with("--print-");
        self.makes_shared |= text == "-shared";
        self.says_pie |= ["-pie", "-no-pie", "-static-pie"].contains(&text);
        self.sanitizes |= text.starts_with("-fsanitize=");
        match text {
            "-fshort-wchar" => self.short_wchar = true,
            "-fno-short-wchar" => self.short_wchar = false,
            _ => {}
        }
    }

    pub fn has(&self, language: Language) -> bool {
        self.inputs.iter().any(|input| input.language == Some(language))
    }

    /// The language by whose rules the whole is linked.
    pub fn language(&self) -> Language {
        // Names of C++ begin with _Z in every object.
        match self.has(Language::Cpp) || self.objects().any(|object| contains(&object, b"_Z")) {
            true => Language::Cpp,
            false => Language::C,
        }
    }

    /// Whether an object or an argument, such as -DENTRY=wmain, names an entry point.
    pub fn names_entry_point(&self) -> bool {
        let mut arguments = self.passed.iter().map(|argument| argument.as_encoded_bytes());
        arguments.any(has_entry_point) || self.objects().any(|object| has_entry_point(&object))
    }

    /// What is linked as it is. What cannot be read is the compiler's to say.
    fn objects(&self) -> impl Iterator<Item = Vec<u8>> {
        let objects = self.inputs.iter().filter(|input| input.language.is_none());
        objects.map(|object| fs::read(&object.path).unwrap_or_default())
    }
}

/// Whether one of the entry points that start.c calls is in it: a source, an object, an argument.
pub fn has_entry_point(bytes: &[u8]) -> bool {
    ENTRY_POINTS.iter().any(|name| contains(bytes, name))
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// Whether the next argument belongs to this one.
pub fn takes_value(argument: &OsStr) -> bool {
    argument.to_str().is_some_and(|text| WITH_VALUE.contains(&text))
}

fn is_left_out(text: &str) -> bool {
    let library = text.strip_prefix("-l").or_else(|| {
        // As Microsoft's linker is told: ws2_32.lib.
        let (stem, extension) = text.rsplit_once('.')?;
        (extension.eq_ignore_ascii_case("lib") && !text.starts_with('-')).then_some(stem)
    });
    OF_MINGW.contains(&text) || library.is_some_and(is_windows_library)
}

fn is_windows_library(name: &str) -> bool {
    LIBRARIES.lines().any(|library| library.eq_ignore_ascii_case(name))
}

fn language_said(named: &str) -> Option<Option<Language>> {
    match named {
        "none" => None,
        "c" | "c-header" | "cpp-output" => Some(Some(Language::C)),
        "c++" | "c++-header" | "c++-cpp-output" => Some(Some(Language::Cpp)),
        _ => Some(None),
    }
}

fn language_of(path: &Path) -> Option<Language> {
    match path.extension()?.to_str()? {
        "c" | "h" | "i" => Some(Language::C),
        "C" | "CPP" | "H" | "c++" | "cc" | "cp" | "cpp" | "cxx" | "hh" | "hpp" | "hxx" | "ii" => {
            Some(Language::Cpp)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Line {
        Line::read(&text.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    fn passed(text: &str) -> String {
        let passed = read(text).passed;
        passed.iter().filter_map(|argument| argument.to_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn inputs_are_told_from_the_values_of_options() {
        let line = read("-O2 -o out.c a.c -I inc.c -Xlinker -s b.o -MF d.c");
        let names: Vec<_> = line.inputs.iter().map(|input| input.path.to_str().unwrap()).collect();
        assert_eq!(names, ["a.c", "b.o"]);
        assert_eq!(line.inputs[0].language, Some(Language::C));
        assert_eq!(line.inputs[1].language, None);
        assert_eq!(line.folders, [PathBuf::from("inc.c")]);
        assert!(line.links);
    }

    #[test]
    fn windows_libraries_are_left_out_and_others_pass() {
        assert_eq!(
            passed("a.c -lws2_32 -lm -l Kernel32 -l z WS2_32.LIB -mwindows"),
            "a.c -lm -l z"
        );
        assert_eq!(passed("a.c mine.lib -Dx=a.lib"), "a.c mine.lib -Dx=a.lib");
    }

    #[test]
    fn the_language_is_that_of_the_sources_unless_it_is_said() {
        assert_eq!(read("a.c b.c").language(), Language::C);
        assert_eq!(read("a.c b.cpp").language(), Language::Cpp);
        assert_eq!(read("-x c++ a.c").language(), Language::Cpp);
        assert_eq!(read("-xc++ a.c -x none b.c").inputs[1].language, Some(Language::C));
    }

    #[test]
    fn what_is_not_linked_and_what_asks_is_known() {
        for text in ["-c a.c", "a.c -E", "-fsyntax-only a.c"] {
            assert!(!read(text).links, "{text}");
        }
        for text in ["--version", "-dumpmachine", "-print-search-dirs"] {
            assert!(read(text).asks, "{text}");
        }
        assert!(read("-shared a.c").makes_shared);
        assert!(read("-pie a.c").says_pie);
        assert!(read("-fsanitize=address a.c").sanitizes);
        assert!(!read("-fshort-wchar -fno-short-wchar a.c").short_wchar);
    }
}
