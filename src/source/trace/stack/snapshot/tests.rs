use super::*;

fn mapping(start: u64, end: u64, is_code: bool) -> Mapping {
    Mapping { start, end, is_code, offset: 0, inode: 7, path: "/srv/a".into() }
}

#[test]
fn only_code_that_the_stack_points_at_is_looked_at() {
    let mappings = [
        mapping(0x1000, 0x2000, true),
        mapping(0x2000, 0x3000, false),
        mapping(0x3000, 0x4000, true),
        mapping(0x5000, 0x6000, true),
    ];
    let bytes = [0x2800_u64, 0x3ff8, 7].iter().flat_map(|word| word.to_ne_bytes()).collect();
    let memory = Memory { base: 0x9000, bytes };
    let found = reached(&Registers { pc: 0x1010, ..Registers::default() }, &memory, &mappings);
    assert_eq!(found.iter().map(|mapping| mapping.start).collect::<Vec<_>>(), [0x1000, 0x3000]);
}

#[test]
fn ones_own_stack_is_copied_up_to_its_end() {
    let own = nix::unistd::getpid();
    let on_the_stack = [0x1122_3344_5566_7788_u64];
    let sp = on_the_stack.as_ptr().addr() as u64;
    let memory = copy(own, sp, &maps::of(own)).unwrap();
    assert_eq!((memory.word(sp), memory.base), (Some(on_the_stack[0]), sp));
    assert_eq!(
        (memory.word(sp - 1), memory.word(u64::MAX), memory.word(sp + memory.bytes.len() as u64 - 7)),
        (None, None, None)
    );
    assert_eq!(copy(own, 8, &maps::of(own)), None);
}
