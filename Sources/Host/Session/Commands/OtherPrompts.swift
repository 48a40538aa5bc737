/// Commands of IPython: those that are called otherwise here, and in a sentence what stands for the others.
enum OtherPrompts {
    static let names: [String: String] = [
        "lsmagic": "help", "magic": "help", "quickref": "help", "pinfo": "help", "pinfo2": "help", "psearch": "help",
        "hist": "history", "whos": "who", "who_ls": "who", "prun": "profile", "lprun": "profile", "memit": "time",
        "mprun": "profile", "ed": "edit", "exit": "quit", "reset_selective": "reset", "logstart": "log",
        "logstate": "log", "cls": "clear", "chdir": "cd",
    ]

    /// Run in the shell, with what follows.
    static let shell: Set<String> = [
        "ls", "ll", "cat", "cp", "mv", "rm", "mkdir", "rmdir", "less", "more", "man", "bash", "sh", "system", "sx",
    ]

    static let sentences: [String: String] = [
        "matplotlib": "figures are drawn as they are: run:plot{…}, bss.plot.line{…}",
        "pylab": "tensors and figures are there: help(bss)",
        "load_ext": "there are no extensions: require \"module\" loads Lua", "reload_ext": "package.loaded.m = nil",
        "autoreload": "package.loaded.m = nil, then require \"m\" reads it again",
        "pdb": "%debug looks at the last error whenever it is asked", "xmode": "errors always have their traceback",
        "tb": "%debug shows the frames of the last error", "paste": "paste as it is: a block stays one input",
        "cpaste": "paste as it is: a block stays one input", "load": "%run FILE runs it; %edit edits a cell",
        "env": "os.getenv \"NAME\"; variables are set before the program starts",
        "set_env": "set it before the program starts",
        "alias": "a function is one: function ll() os.execute \"ls -l\" end", "macro": "a function is one",
        "store": "%save NAMES FILE writes what they depend on; bss-lua repl --restore FILE goes on",
        "rerun": "Up, or %edit N", "recall": "Up, or %edit N", "rep": "Up, or %edit N",
        "notebook": "%save FILE.lua, then bss-lua nb export FILE.lua -o FILE.ipynb",
        "config": "options stand on the command line: bss-lua help", "colors": "NO_COLOR=1 turns colours off",
        "capture": "bss.capture(function() … end) returns what it prints",
        "writefile": "io.open(\"FILE\", \"w\"):write(text)", "pip": "!pip …", "conda": "!conda …",
        "precision": "(\"%.3f\"):format(x)", "automagic": "commands begin with %",
        "pycat": "!cat FILE", "pdef": "?NAME", "pdoc": "?NAME", "psource": "??NAME", "pfile": "??NAME",
        "bookmark": "%cd DIR", "dhist": "%cd DIR", "pushd": "%cd DIR", "popd": "%cd DIR",
        "python": "!python3 -c …", "html": "results with a form for pages show it by themselves",
        "latex": "results with a form for pages show it by themselves",
    ]
}
