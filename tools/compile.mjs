// Compiles a folder of Python modules with the Python that runs in the browser: node compile.mjs RUNTIME FOLDER
// A browser would otherwise compile the engine on every visit. The files are named as if they lay where the lab installs them.
import { pathToFileURL } from "node:url";

const [runtime, folder] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${runtime}/pyodide.mjs`));
const python = await loadPyodide({ indexURL: runtime });
python.FS.mkdir("/made");
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/made");
const compiled = python.runPython(`
import compileall, py_compile, sys
place = f"/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
compileall.compile_dir("/made", quiet=1, stripdir="/made", prependdir=place, invalidation_mode=unchecked)
`);
process.exit(compiled ? 0 : 1);
