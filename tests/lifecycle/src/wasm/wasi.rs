//! WASI preview 1, as much of it as Envoy offers and a filter uses: clock, random bytes, environment, standard output.

use wasmtime::{Error, Linker};

use super::memory::{Call, Guest, abi, read, write};

const OK: u32 = 0;
const BAD_FILE: u32 = 8;
const INVALID: u32 = 28;

/// `NAME=value` and a NUL, for each variable.
fn environment(call: &Call<'_>) -> Vec<Vec<u8>> {
    abi(call).environment().iter().map(|(n, v)| format!("{n}={v}\0").into_bytes()).collect()
}

/// Defines them.
pub fn link(linker: &mut Linker<Guest>) {
    const WASI: &str = "wasi_snapshot_preview1";
    let mut define = || -> Result<(), Error> {
        linker.func_wrap(WASI, "clock_time_get", |mut c: Call<'_>, id: u32, _precision: u64, time: u32| -> u32 {
            // Envoy has the real-time and the monotonic clock.
            if id > 1 {
                return INVALID;
            }
            let now = abi(&c).now();
            write(&mut c, time, &now.to_le_bytes());
            OK
        })?;
        linker.func_wrap(WASI, "random_get", |mut c: Call<'_>, data: u32, size: u32| -> u32 {
            if size > 64 * 1024 {
                return INVALID;
            }
            let mut bytes = vec![0; size as usize];
            abi(&c).random(&mut bytes);
            write(&mut c, data, &bytes);
            OK
        })?;
        linker.func_wrap(WASI, "environ_sizes_get", |mut c: Call<'_>, count: u32, size: u32| -> u32 {
            let all = environment(&c);
            write(&mut c, count, &(all.len() as u32).to_le_bytes());
            write(&mut c, size, &(all.iter().map(Vec::len).sum::<usize>() as u32).to_le_bytes());
            OK
        })?;
        linker.func_wrap(WASI, "environ_get", |mut c: Call<'_>, mut pointers: u32, mut text: u32| -> u32 {
            for variable in environment(&c) {
                write(&mut c, pointers, &text.to_le_bytes());
                write(&mut c, text, &variable);
                pointers += 4;
                text += variable.len() as u32;
            }
            OK
        })?;
        linker.func_wrap(WASI, "fd_write", |mut c: Call<'_>, fd: u32, list: u32, count: u32, written: u32| -> u32 {
            if !matches!(fd, 1 | 2) {
                return BAD_FILE;
            }
            let mut text = Vec::new();
            for at in 0..count {
                let part = read(&mut c, list + at * 8, 8);
                let number = |at: usize| u32::from_le_bytes(part[at..at + 4].try_into().expect("four bytes"));
                text.extend(read(&mut c, number(0), number(4)));
            }
            abi(&c).log(&String::from_utf8_lossy(&text));
            write(&mut c, written, &(text.len() as u32).to_le_bytes());
            OK
        })?;
        linker.func_wrap(WASI, "proc_exit", |code: u32| -> Result<(), Error> {
            Err(Error::msg(format!("the filter exits with {code}")))
        })?;
        Ok(())
    };
    define().expect("each import is defined once");
}
