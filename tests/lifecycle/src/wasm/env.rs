//! proxy-wasm ABI 0.2.1's imports: numbers and pointers turned into calls of the model's [`Abi`](crate::model::Abi).

use wasmtime::{Error, Linker};

use super::memory::{Call, Guest, abi, call_back, hand_over, parse, read, serialize, text, write};
use crate::model::{BufferKind, LocalReply, MapKind, Side, Status};
use crate::verify::{Request, Verdict, check};

const OK: u32 = 0;
const BAD_ARGUMENT: u32 = Status::BadArgument as u32;
const COUNTER: u32 = 0;
const HISTOGRAM: u32 = 2;

fn code(result: Result<(), Status>) -> u32 {
    result.map_or_else(|status| status as u32, |()| OK)
}

fn map(kind: u32) -> Option<MapKind> {
    match kind {
        0 => Some(MapKind::Head(Side::Request)),
        1 => Some(MapKind::Trailers(Side::Request)),
        2 => Some(MapKind::Head(Side::Response)),
        3 => Some(MapKind::Trailers(Side::Response)),
        6 => Some(MapKind::Call),
        _ => None,
    }
}

fn buffer(kind: u32) -> Option<BufferKind> {
    match kind {
        0 => Some(BufferKind::Body(Side::Request)),
        1 => Some(BufferKind::Body(Side::Response)),
        4 => Some(BufferKind::Call),
        7 => Some(BufferKind::Configuration),
        _ => None,
    }
}

/// A property's path with `/` for the NUL between its parts.
fn path(call: &mut Call<'_>, pointer: u32, size: u32) -> String {
    text(call, pointer, size).replace('\0', "/")
}

/// Defines them.
pub fn link(linker: &mut Linker<Guest>) {
    plain(linker).and_then(|()| streams(linker)).and_then(|()| others(linker)).expect("each import is defined once");
}

fn plain(linker: &mut Linker<Guest>) -> Result<(), Error> {
    const ENV: &str = "env";
    linker.func_wrap(ENV, "proxy_log", |mut c: Call<'_>, _level: u32, message: u32, size: u32| -> u32 {
        let message = read(&mut c, message, size);
        abi(&c).log(&String::from_utf8_lossy(&message));
        OK
    })?;
    linker.func_wrap(ENV, "proxy_get_current_time_nanoseconds", |mut c: Call<'_>, time: u32| -> u32 {
        let now = abi(&c).now();
        write(&mut c, time, &now.to_le_bytes());
        OK
    })?;
    linker.func_wrap(ENV, "proxy_set_tick_period_milliseconds", |c: Call<'_>, period: u32| -> u32 {
        abi(&c).set_tick_period(period);
        OK
    })?;
    linker.func_wrap(ENV, "proxy_set_effective_context", |c: Call<'_>, context: u32| -> u32 {
        code(abi(&c).set_effective_context(context))
    })?;
    linker.func_wrap(
        ENV,
        "proxy_get_buffer_bytes",
        |mut c: Call<'_>, kind: u32, start: u32, max: u32, data: u32, size: u32| -> u32 {
            let Some(kind) = buffer(kind) else { return BAD_ARGUMENT };
            match abi(&c).buffer(kind, start as usize, max as usize) {
                Ok(bytes) => {
                    hand_over(&mut c, &bytes, data, size);
                    OK
                }
                Err(status) => status as u32,
            }
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_set_buffer_bytes",
        |mut c: Call<'_>, kind: u32, start: u32, length: u32, data: u32, size: u32| -> u32 {
            let content = read(&mut c, data, size);
            match buffer(kind) {
                Some(BufferKind::Body(side)) => {
                    let result = abi(&c).set_buffer(side, start as usize, length as usize, &content);
                    if let Some(stream) = abi(&c).end_inside() {
                        call_back(&mut c, stream);
                        abi(&c).ended_inside(stream);
                    }
                    code(result)
                }
                _ => BAD_ARGUMENT,
            }
        },
    )?;
    Ok(())
}

fn streams(linker: &mut Linker<Guest>) -> Result<(), Error> {
    const ENV: &str = "env";
    linker.func_wrap(ENV, "proxy_get_header_map_pairs", |mut c: Call<'_>, kind: u32, data: u32, size: u32| -> u32 {
        let Some(kind) = map(kind) else { return BAD_ARGUMENT };
        match abi(&c).header_map(kind) {
            Ok(fields) => {
                hand_over(&mut c, &serialize(&fields), data, size);
                OK
            }
            Err(status) => status as u32,
        }
    })?;
    linker.func_wrap(
        ENV,
        "proxy_replace_header_map_value",
        |mut c: Call<'_>, kind: u32, name: u32, name_size: u32, value: u32, value_size: u32| -> u32 {
            let (name, value) = (text(&mut c, name, name_size), read(&mut c, value, value_size));
            match map(kind) {
                Some(MapKind::Head(side)) => code(abi(&c).set_header(side, &name, &value)),
                _ => BAD_ARGUMENT,
            }
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_remove_header_map_value",
        |mut c: Call<'_>, kind: u32, name: u32, size: u32| -> u32 {
            let name = text(&mut c, name, size);
            match map(kind) {
                Some(MapKind::Head(side)) => code(abi(&c).remove_header(side, &name)),
                Some(MapKind::Trailers(side)) => code(abi(&c).remove_trailer(side, &name)),
                _ => BAD_ARGUMENT,
            }
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_get_property",
        |mut c: Call<'_>, name: u32, name_size: u32, data: u32, size: u32| -> u32 {
            let path = path(&mut c, name, name_size);
            match abi(&c).property(&path) {
                Ok(value) => {
                    hand_over(&mut c, &value, data, size);
                    OK
                }
                Err(status) => status as u32,
            }
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_set_property",
        |mut c: Call<'_>, name: u32, name_size: u32, value: u32, size: u32| -> u32 {
            let path = path(&mut c, name, name_size);
            let value = read(&mut c, value, size);
            code(abi(&c).set_property(&path, &value))
        },
    )?;
    linker.func_wrap(ENV, "proxy_continue_stream", |c: Call<'_>, direction: u32| -> u32 {
        match direction {
            0 => code(abi(&c).continue_stream(Side::Request)),
            1 => code(abi(&c).continue_stream(Side::Response)),
            _ => BAD_ARGUMENT,
        }
    })?;
    linker.func_wrap(
        ENV,
        "proxy_send_local_response",
        |mut c: Call<'_>,
         status: u32,
         details: u32,
         details_size: u32,
         body: u32,
         body_size: u32,
         headers: u32,
         headers_size: u32,
         _grpc_status: i32|
         -> u32 {
            let headers = read(&mut c, headers, headers_size);
            let reply = LocalReply {
                status: u16::try_from(status).expect("an HTTP status"),
                details: text(&mut c, details, details_size),
                headers: parse(&headers),
                body: read(&mut c, body, body_size),
            };
            code(abi(&c).send_local_response(reply))
        },
    )?;
    Ok(())
}

fn others(linker: &mut Linker<Guest>) -> Result<(), Error> {
    const ENV: &str = "env";
    linker.func_wrap(
        ENV,
        "proxy_get_shared_data",
        |mut c: Call<'_>, key: u32, key_size: u32, data: u32, size: u32, version: u32| -> u32 {
            let key = text(&mut c, key, key_size);
            match abi(&c).shared_data(&key) {
                Ok((value, stored)) => {
                    hand_over(&mut c, &value, data, size);
                    write(&mut c, version, &stored.to_le_bytes());
                    OK
                }
                Err(status) => status as u32,
            }
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_set_shared_data",
        |mut c: Call<'_>, key: u32, key_size: u32, value: u32, value_size: u32, version: u32| -> u32 {
            let (key, value) = (text(&mut c, key, key_size), read(&mut c, value, value_size));
            code(abi(&c).set_shared_data(&key, &value, version))
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_http_call",
        |mut c: Call<'_>,
         cluster: u32,
         cluster_size: u32,
         headers: u32,
         headers_size: u32,
         body: u32,
         body_size: u32,
         _trailers: u32,
         _trailers_size: u32,
         timeout_ms: u32,
         token: u32|
         -> u32 {
            let (cluster, headers) = (text(&mut c, cluster, cluster_size), read(&mut c, headers, headers_size));
            let body = read(&mut c, body, body_size);
            match abi(&c).http_call(&cluster, &parse(&headers), &body, timeout_ms) {
                Ok(given) => {
                    write(&mut c, token, &given.to_le_bytes());
                    OK
                }
                Err(status) => status as u32,
            }
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_call_foreign_function",
        |mut c: Call<'_>,
         name: u32,
         name_size: u32,
         arguments: u32,
         arguments_size: u32,
         data: u32,
         size: u32|
         -> u32 {
            let (name, arguments) = (text(&mut c, name, name_size), read(&mut c, arguments, arguments_size));
            if name != "verify_signature" {
                return Status::NotFound as u32;
            }
            hand_over(&mut c, &verify_signature(&arguments), data, size);
            OK
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_define_metric",
        |mut c: Call<'_>, kind: u32, name: u32, size: u32, id: u32| -> u32 {
            let name = text(&mut c, name, size);
            if !matches!(kind, COUNTER | HISTOGRAM) {
                return BAD_ARGUMENT;
            }
            let given = abi(&c).define_metric(&name, kind == HISTOGRAM);
            write(&mut c, id, &given.to_le_bytes());
            OK
        },
    )?;
    linker.func_wrap(ENV, "proxy_increment_metric", |c: Call<'_>, id: u32, offset: i64| -> u32 {
        code(abi(&c).measure(id, false, u64::try_from(offset).unwrap_or(0)))
    })?;
    linker.func_wrap(ENV, "proxy_record_metric", |c: Call<'_>, id: u32, value: u64| -> u32 {
        code(abi(&c).measure(id, true, value))
    })?;
    Ok(())
}

/// `VerifySignatureArguments` to `VerifySignatureResult`, with the errors that Envoy gives.
fn verify_signature(arguments: &[u8]) -> Vec<u8> {
    let mut fields = [&[][..]; 5];
    let mut rest = arguments;
    while let Some((tag, after)) = rest.split_first() {
        assert_eq!(tag & 7, 2, "every argument is bytes");
        let (mut size, mut shift, mut at) = (0usize, 0, 0);
        loop {
            size |= usize::from(after[at] & 0x7f) << shift;
            shift += 7;
            at += 1;
            if after[at - 1] & 0x80 == 0 {
                break;
            }
        }
        let content = &after[at..];
        fields[usize::from(tag >> 3)] = &content[..size];
        rest = &content[size..];
    }
    let [_, hash, public_key, signature, text] = fields;
    let hash = std::str::from_utf8(hash).expect("a hash's name");
    let error = match check(&Request { hash, public_key, signature, text }) {
        Verdict::Good => return vec![0x08, 1],
        Verdict::Bad => "Failed to verify digest. Error code: 0",
        Verdict::Unable => "Failed to initialize digest verify. Error code: 0",
    };
    let mut result = vec![0x12, error.len() as u8];
    result.extend(error.as_bytes());
    result
}
