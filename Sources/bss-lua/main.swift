import BSSLuaAPI
import BSSLuaHost

Program(version: API.version, api: API.make).run(CommandLine.arguments)
