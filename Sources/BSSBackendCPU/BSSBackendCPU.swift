// BSSBackendCPU
