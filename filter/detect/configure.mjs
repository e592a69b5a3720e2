// How long the filter takes for a configuration, in V8 and with nothing but a configuration to read: `node configure.mjs MODULE POLICY`.
// Each round is a VM of its own, as each worker of Envoy has one. The first is the slowest: V8 compiles its code meanwhile.
import { readFile } from "node:fs/promises";

const [path, name] = process.argv.slice(2);
const ROUNDS = 9;
const OK = 0;
const NOT_FOUND = 1;
const PLUGIN_CONFIGURATION = 7;

const base = {
  version: "doorward/v1",
  targets: [{ name: "llm", cluster: "llm", provider: "openai" }],
  identity: { mtls: { trust_domains: "example.org" }, require: { user: false, workload: true } },
  access: [{ id: "all", effect: "allow", models: ["*"] }],
};
const policies = {
  nothing: base,
  everything: {
    ...base,
    content: [{ id: "all", detect: ["all", "business", "exfiltration", "HIDDEN_TEXT"], action: "flag" }],
  },
};

const compiled = await WebAssembly.compile(await readFile(path));

/** Milliseconds that one VM takes for the policy. */
async function configure(policy) {
  const text = new TextEncoder().encode(JSON.stringify(policy));
  let exports;
  const view = () => new DataView(exports.memory.buffer);
  const known = {
    proxy_log: (_level, message, size) => {
      console.log(new TextDecoder().decode(new Uint8Array(exports.memory.buffer, message, size)));
      return OK;
    },
    proxy_get_current_time_nanoseconds: (time) => (view().setBigUint64(time, BigInt(Date.now()) * 1000000n, true), OK),
    proxy_set_tick_period_milliseconds: () => OK,
    proxy_define_metric: (_kind, _name, _size, id) => (view().setUint32(id, 1, true), OK),
    proxy_increment_metric: () => OK,
    proxy_record_metric: () => OK,
    proxy_set_shared_data: () => OK,
    proxy_get_buffer_bytes: (kind, _start, _max, data, size) => {
      if (kind !== PLUGIN_CONFIGURATION) return NOT_FOUND;
      const memory = exports.proxy_on_memory_allocate(text.length);
      new Uint8Array(exports.memory.buffer, memory, text.length).set(text);
      view().setUint32(data, memory, true);
      view().setUint32(size, text.length, true);
      return OK;
    },
    environ_sizes_get: (count, size) => (view().setUint32(count, 0, true), view().setUint32(size, 0, true), OK),
    random_get: (at, size) => (crypto.getRandomValues(new Uint8Array(exports.memory.buffer, at, size)), OK),
    clock_time_get: (_id, _precision, at) => (view().setBigUint64(at, process.hrtime.bigint(), true), OK),
  };
  const imports = {};
  for (const { module, name } of WebAssembly.Module.imports(compiled)) {
    (imports[module] ??= {})[name] = known[name] ?? (() => NOT_FOUND);
  }
  exports = (await WebAssembly.instantiate(compiled, imports)).exports;
  exports._initialize();
  const context = 1;
  exports.proxy_on_context_create(context, 0);
  exports.proxy_on_vm_start(context, 0);
  const start = performance.now();
  if (exports.proxy_on_configure(context, text.length) !== 1) throw new Error("the policy is refused");
  return performance.now() - start;
}

const times = [];
for (let round = 0; round < ROUNDS; round++) times.push(await configure(policies[name]));
const median = [...times].sort((a, b) => a - b)[ROUNDS >> 1];
console.log(`configuring a VM, ${name} looked for: the first ${times[0].toFixed(1)} ms, the median of ${ROUNDS} ${median.toFixed(1)} ms`);
