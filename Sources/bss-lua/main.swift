import BSSLuaHost

Program(version: "0.1.0") { _, _ in
    Namespace("bss", "Balanced self-paced learning for multimodal data.") { [] }
}.run(CommandLine.arguments)
