"""Every notebook of experiments/guide, exported to ipynb and executed by nbclient and by papermill.

Run by the tests as: python run_guides.py BSS_LUA GUIDE_FOLDER; works in the folder KERNEL_HOME. Prints a line for each.
"""

import glob
import os
import subprocess
import sys

import nbformat
import papermill
from nbclient import NotebookClient

program, guides = sys.argv[1:3]
home = os.environ["KERNEL_HOME"]
os.makedirs(home, exist_ok=True)
os.chdir(home)
os.environ["JUPYTER_PATH"] = f"{home}/share/jupyter"
subprocess.run([program, "kernel", "install", "--prefix", home], check=True, stdout=subprocess.DEVNULL)
failures = 0
for guide in sorted(glob.glob(f"{guides}/*.lua")):
    name = os.path.basename(guide).removesuffix(".lua")
    subprocess.run([program, "nb", "export", guide, "-o", f"{name}.ipynb"], check=True, stderr=subprocess.DEVNULL)
    try:
        NotebookClient(nbformat.read(f"{name}.ipynb", 4), timeout=120, kernel_name="bss-lua").execute()
        papermill.execute_notebook(f"{name}.ipynb", f"{name}.out.ipynb", kernel_name="bss-lua", progress_bar=False)
        print(f"{name}: ok")
    except Exception as error:  # whatever ends a cell
        failures += 1
        print(f"{name}: {error}")
sys.exit(failures)
