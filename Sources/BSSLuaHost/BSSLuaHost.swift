// BSSLuaHost
