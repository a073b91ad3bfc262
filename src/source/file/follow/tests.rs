use std::collections::VecDeque;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tempfile::TempDir;

use super::*;
use crate::event::Gap;
use crate::source::file::{Capture, FileError, Item, Source, follow};

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn header() -> Vec<u8> {
    numbers(&[0xa1b2_c3d4, 0, 0, 0, 65535, 1])
}

fn packet() -> Vec<u8> {
    numbers(&[1, 0, 4, 4, 0])
}

/// What is done to the file while the reading waits: one a tick.
type Deed = Box<dyn FnOnce(&Path) + Send>;

fn append(bytes: Vec<u8>) -> Deed {
    Box::new(move |path| fs::OpenOptions::new().append(true).open(path).unwrap().write_all(&bytes).unwrap())
}

struct Growing {
    _dir: TempDir,
    path: PathBuf,
}

impl Growing {
    fn new(beginning: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("growing.pcap");
        fs::write(&path, beginning).unwrap();
        Self { _dir: dir, path }
    }

    fn watch(&self, deeds: Vec<Deed>) -> Watch {
        let path = self.path.clone();
        let deeds = Mutex::new(VecDeque::from(deeds));
        Watch::default().telling(move |_| {
            if let Some(deed) = deeds.lock().unwrap().pop_front() {
                deed(&path);
            }
        })
    }

    fn open(&self, deeds: Vec<Deed>) -> Capture<Source> {
        let (name, input) = follow(&self.path, &self.watch(deeds)).unwrap();
        Capture::new(name, input).unwrap()
    }

    fn lost(&self, why: &str) -> String {
        format!("cannot follow {:?} any further: {why}", self.path.display().to_string())
    }
}

/// How many packets are read, what else, and the error that ends it.
fn read(capture: Capture<Source>) -> (usize, Vec<Item>, String) {
    let (mut packets, mut asides) = (0, Vec::new());
    for item in capture {
        match item {
            Ok(Item::Packet(_)) => packets += 1,
            Ok(aside) => asides.push(aside),
            Err(error) => return (packets, asides, error.to_string()),
        }
    }
    panic!("the reading ended after {packets} packets without saying why");
}

#[test]
fn what_is_written_later_is_read_and_a_part_of_a_packet_waits_for_its_rest() {
    let file = Growing::new(b"");
    let (whole, deleted) = (packet(), Box::new(|path: &Path| fs::remove_file(path).unwrap()));
    let (head, tail) = whole.split_at(7);
    let deeds = vec![
        append(header()[..3].to_vec()),
        append(header()[3..].to_vec()),
        append([&whole, head].concat()),
        append(tail.to_vec()),
        deleted,
    ];
    assert_eq!(read(file.open(deeds)), (2, vec![], file.lost("it was deleted")));
}

#[test]
fn a_file_that_shrinks_ends_it_and_what_was_cut_is_told() {
    let file = Growing::new(&[header(), packet(), packet()[..5].to_vec()].concat());
    let shrink: Deed = Box::new(|path| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(24).unwrap());
    let cut = vec![Item::Gap(Gap::CutShort { bytes: 5 })];
    assert_eq!(read(file.open(vec![shrink])), (1, cut, file.lost("it shrank from 49 to 24 bytes")));
}

#[test]
fn a_file_that_gives_way_to_another_ends_it_after_all_of_it_was_read() {
    let file = Growing::new(&header());
    let replace: Deed = Box::new(|path| {
        let other = path.with_extension("other");
        fs::write(&other, header()).unwrap();
        append(packet())(path);
        fs::rename(other, path).unwrap();
    });
    assert_eq!(read(file.open(vec![replace])), (1, vec![], file.lost("another file was put in its place")));
    let file = Growing::new(&[header(), packet()].concat());
    let r#move: Deed = Box::new(|path| fs::rename(path, path.with_extension("1")).unwrap());
    assert_eq!(read(file.open(vec![r#move])), (1, vec![], file.lost("it was moved away")));
}

#[test]
fn a_stop_ends_it_while_it_waits() {
    let file = Growing::new(&[header(), packet()].concat());
    let (ours, theirs) = UnixStream::pair().unwrap();
    let watch = file.watch(vec![Box::new(move |_| (&ours).write_all(b"x").unwrap())]).stopped_by(theirs);
    let (name, input) = follow(&file.path, &watch).unwrap();
    let mut capture = Capture::new(name, input).unwrap();
    assert!(matches!(capture.next(), Some(Ok(Item::Packet(_)))));
    assert!(capture.next().unwrap().unwrap_err().is_stop());
    assert_eq!(watch.progress().of, None);
}

#[test]
fn changes_are_told_without_a_tick() {
    let file = Growing::new(&header());
    let opened = File::open(&file.path).unwrap();
    let changes = changes_of(&opened).unwrap();
    let told = || changes.read_events().map(|events| events.len());
    assert_eq!(told(), Err(Errno::EAGAIN));
    append(packet())(&file.path);
    assert!(told().is_ok());
    fs::rename(&file.path, file.path.with_extension("1")).unwrap();
    assert!(told().is_ok());
    fs::remove_file(file.path.with_extension("1")).unwrap();
    assert!(told().is_ok());
}

#[test]
fn only_plain_files_are_followed() {
    let refused = |path: &Path| follow(path, &Watch::default()).err().unwrap();
    let file = Growing::new(&[0x1f, 0x8b, 8, 0, 0]);
    let packed = refused(&file.path);
    assert_eq!(packed.to_string(), format!("cannot follow {:?}: it is compressed", file.path.display().to_string()));
    assert!(packed.help().unwrap().starts_with("leave out --follow, or have it unpacked as it grows"));
    let fifo = file.path.with_extension("fifo");
    mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    assert!(refused(&fifo).to_string().ends_with("it is not a plain file"));
    assert_eq!(refused(Path::new("-")).to_string(), "cannot follow \"standard input\": it is not a plain file");
    assert!(refused(Path::new("-")).help().unwrap().starts_with("leave out --follow: a pipe"));
    assert!(matches!(refused(Path::new("/nonexistent")), FileError::Open { .. }));
}
