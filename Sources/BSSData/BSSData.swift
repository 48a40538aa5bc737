// BSSData
