//! The guest's memory, as the imports read and write it.

use wasmtime::{AsContext, AsContextMut, Caller, Instance, Memory, TypedFunc};

use crate::model::{Abi, Fields};

/// What a VM's imports work with.
pub struct Guest {
    /// The host's side.
    pub abi: Abi,
    instance: Option<Instance>,
}

impl Guest {
    pub fn new(abi: Abi) -> Self {
        Self { abi, instance: None }
    }

    pub fn attach(&mut self, instance: Instance) {
        self.instance = Some(instance);
    }
}

/// The guest in the middle of a call to the host.
pub type Call<'a> = Caller<'a, Guest>;

/// The host's side, for the length of a call.
pub fn abi(call: &Call<'_>) -> Abi {
    call.data().abi.clone()
}

fn memory(call: &mut Call<'_>) -> Memory {
    call.get_export("memory").and_then(|e| e.into_memory()).expect("the module exports its memory")
}

/// Bytes at `pointer`.
pub fn read(call: &mut Call<'_>, pointer: u32, size: u32) -> Vec<u8> {
    let mut bytes = vec![0; size as usize];
    memory(call).read(call.as_context(), pointer as usize, &mut bytes).expect("a pointer into the guest's memory");
    bytes
}

/// UTF-8 at `pointer`.
pub fn text(call: &mut Call<'_>, pointer: u32, size: u32) -> String {
    String::from_utf8(read(call, pointer, size)).expect("a name in UTF-8")
}

/// Writes `bytes` at `pointer`.
pub fn write(call: &mut Call<'_>, pointer: u32, bytes: &[u8]) {
    memory(call).write(call.as_context_mut(), pointer as usize, bytes).expect("a pointer into the guest's memory");
}

/// Hands `bytes` over in memory that the guest allocates; nothing at all is a null pointer.
pub fn hand_over(call: &mut Call<'_>, bytes: &[u8], data: u32, size: u32) {
    let mut pointer = 0;
    if !bytes.is_empty() {
        let instance = call.data().instance.expect("the module runs");
        let allocate: TypedFunc<u32, u32> = instance
            .get_typed_func(call.as_context_mut(), "proxy_on_memory_allocate")
            .expect("the module allocates");
        pointer = allocate.call(call.as_context_mut(), bytes.len() as u32).expect("the guest has memory");
        write(call, pointer, bytes);
    }
    write(call, data, &pointer.to_le_bytes());
    write(call, size, &(bytes.len() as u32).to_le_bytes());
}

/// Header pairs in the ABI's serialised form.
pub fn serialize(fields: &Fields) -> Vec<u8> {
    let mut out = (fields.0.len() as u32).to_le_bytes().to_vec();
    for (name, value) in &fields.0 {
        out.extend((name.len() as u32).to_le_bytes());
        out.extend((value.len() as u32).to_le_bytes());
    }
    for (name, value) in &fields.0 {
        for part in [name.as_bytes(), value] {
            out.extend(part);
            out.push(0);
        }
    }
    out
}

/// Header pairs out of the ABI's serialised form.
pub fn parse(bytes: &[u8]) -> Fields {
    let mut fields = Fields::default();
    if bytes.is_empty() {
        return fields;
    }
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
    let count = number(0);
    let mut at = 4 + count * 8;
    for pair in 0..count {
        let (name, value) = (number(4 + pair * 8), number(8 + pair * 8));
        let text = String::from_utf8(bytes[at..at + name].to_vec()).expect("a header name in UTF-8");
        at += name + 1;
        fields.add(&text, &bytes[at..at + value]);
        at += value + 1;
    }
    fields
}
