// Compiles Python modules with the Python that runs in the browser, which would otherwise compile them on every visit:
// node compile.mjs RUNTIME FOLDER [START NAME...]
// FOLDER is what lies in site-packages in the browser. Without START, all of it is compiled, as Python itself would do it. With
// START, a script: what that script and the modules NAME import of the standard library, whose sources lie in FOLDER/../stdlib.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

const [runtime, folder, start, ...names] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${runtime}/pyodide.mjs`));
const python = await loadPyodide({ indexURL: runtime, env: { HOME: "/home/pyodide" } });
python.FS.mkdir("/made");
python.FS.mount(python.FS.filesystems.NODEFS, { root: dirname(folder) }, "/made");
python.globals.set("made", `/made/${folder.split(/[\\/]/).pop()}`);
python.globals.set("names", names);
python.runPython(`
import importlib, compileall, py_compile, sys
site = f"/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
sys.dont_write_bytecode = True
`);
if (start) {
  python.runPython(`sys.path.insert(0, made)`);
  python.runPython(readFileSync(start, "utf8"), { globals: python.globals.get("dict")() });
  python.runPython(`
for name in names:
    importlib.import_module(name)
library = next(path for path in sys.path if path.endswith(".zip"))
for module in list(sys.modules.values()):
    path = getattr(module, "__file__", None) or ""
    if path.startswith(library + "/") and path.endswith(".py"):
        source = "/made/stdlib" + path.removeprefix(library)
        py_compile.compile(source, f"{source}c", path, doraise=True, invalidation_mode=unchecked)
`);
} else if (!python.runPython(`compileall.compile_dir(made, quiet=1, stripdir=made, prependdir=site, invalidation_mode=unchecked)`)) {
  process.exit(1);
}
