use super::*;

fn native(function: &str, file: &str, line: u32) -> Place {
    let at = if line == 0 {
        At::Module { file: file.to_owned(), offset: 0x1139 }
    } else {
        At::Line { file: file.to_owned(), line }
    };
    let function = Some(function.to_owned()).filter(|name| !name.is_empty());
    Place { language: Language::Native, function, at }
}

fn python(function: &str, file: &str, line: u32) -> Place {
    Place { language: Language::Python, ..native(function, file, line) }
}

/// What is said of a stack with these places.
fn said(places: &[Place]) -> String {
    let stack = Stack { begun: EventId(1), places: places.to_vec(), missing: None };
    caller(&stack).and_then(|at| places.get(at)).map_or_else(|| "nothing".to_owned(), short)
}

#[test]
fn the_line_is_the_programs_and_not_the_librarys() {
    let libc = native("__send", "/lib/x86_64-linux-gnu/libc.so.6", 0);
    assert_eq!(
        said(&[libc.clone(), native("reply", "/srv/a.c", 31), native("main", "/srv/a.c", 40)]),
        "a.c:31 in reply"
    );
    assert_eq!(said(&[libc.clone(), native("reply", "/srv/a.out", 0)]), "reply in a.out, whose lines are not known");
    assert_eq!(said(&[libc.clone(), native("", "/srv/a.out", 0)]), "a.out+0x1139, whose functions are not known");
    let with_lines = native("__libc_send", "../sysdeps/unix/sysv/linux/send.c", 28);
    assert_eq!(said(&[with_lines, native("reply", "/srv/a.c", 31)]), "a.c:31 in reply");
    let linked = native("__libc_send", "/srv/static", 0);
    assert_eq!(said(&[linked, native("reply", "/srv/a.c", 31)]), "a.c:31 in reply");
    assert_eq!(said(std::slice::from_ref(&libc)), "__send in libc.so.6, whose lines are not known");
    assert_eq!(said(&[]), "nothing");
}

#[test]
fn what_a_language_brings_with_it_is_passed_over() {
    let rust = native("std::net::tcp::TcpStream::write", "/rustc/0123/library/std/src/net/tcp.rs", 5);
    assert_eq!(said(&[rust, native("app::reply", "src/main.rs", 7)]), "main.rs:7 in app::reply");
    let go = ["runtime/internal/syscall.Syscall6", "syscall.write", "internal/poll.(*FD).Write", "net.(*conn).Write"];
    let mut places: Vec<Place> = go.iter().map(|name| native(name, "/usr/local/go/src/x.go", 9)).collect();
    places.push(native("main.reply", "/srv/main.go", 12));
    assert_eq!(said(&places), "main.go:12 in main.reply");
    assert_eq!(said(&[native("ios.Send", "/srv/ios.go", 3), places[3].clone()]), "ios.go:3 in ios.Send");
    let own = python("reply", "/srv/server.py", 31);
    let library = python("finish", "/usr/lib/python3.11/socketserver.py", 755);
    let installed = python("send", "/usr/lib/python3/dist-packages/requests/api.py", 6);
    assert_eq!(
        said(&[native("sock_send", "/x/_socket.cpython-311.so", 0), library, own.clone()]),
        "server.py:31 in reply"
    );
    assert_eq!(said(&[native("pqsecure_write", "/x/libpq.so.5", 0), own]), "server.py:31 in reply");
    assert_eq!(said(&[installed]), "api.py:6 in send");
}

#[test]
fn callers_end_with_the_programs_first_function() {
    let places = [
        native("__send", "/lib/libc.so.6", 0),
        native("reply", "/srv/a.c", 31),
        native("main", "/srv/a.c", 40),
        native("__libc_start_main_impl", "./csu/../csu/libc-start.c", 360),
        native("_start", "/srv/a.out", 0),
    ];
    let stack = Stack { begun: EventId(1), places: places.to_vec(), missing: None };
    assert_eq!(callers(&stack), &places[1..3]);
    let nothing = Stack { places: Vec::new(), ..stack };
    assert_eq!(callers(&nothing), []);
}
