// Starts Python as soon as a notebook's page opens, while JupyterLite is still being set up beside it.
//
// To JupyterLite's kernel this is Pyodide's own module: it asks it for `loadPyodide`. A worker that script.js has begun early has
// its options as its name, and has then loaded the runtime and the packages and imported what every lesson wants. A kernel that
// was restarted has no name; it begins when it is asked.
import { loadPyodide as load } from "./pyodide.mjs";

const START = @start@;  // start.py, put here by tools/lite.py
const said = [];  // what Python says before there is a kernel to hear it
let hear = (stream, text) => said.push([stream, text]);
const early = self.name ? begin(JSON.parse(self.name)) : undefined;
early?.catch(() => undefined);  // the kernel hears of it when it asks

async function begin(options) {
  const python = await load({
    ...options,
    stdout: (text) => hear("stdout", text),
    stderr: (text) => hear("stderr", text),
  });
  python.runPython(START, { globals: python.globals.get("dict")() });
  python.runPython("import wsklab.magics");
  return python;
}

export async function loadPyodide(options) {
  const python = await (early ?? begin(options));
  hear = (stream, text) => options[stream](text);
  for (const [stream, text] of said) hear(stream, text);
  return python;
}
