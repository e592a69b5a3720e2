// Runs a WASI module in V8, the engine that runs the filter inside Envoy: `node v8.mjs MODULE ROOT [DATA] [ARGUMENTS..]`.
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const [module, root, data, ...rest] = process.argv.slice(2);
const preopens = { "/root": root };
const args = ["speed", "--root", "/root"];
if (data) {
  preopens["/data"] = data;
  args.push("--data", "/data");
}
const wasi = new WASI({ version: "preview1", returnOnExit: false, args: [...args, ...rest], preopens });
const compiled = await WebAssembly.compile(await readFile(module));
const instance = await WebAssembly.instantiate(compiled, wasi.getImportObject());
wasi.start(instance);
