// BSSBackend
