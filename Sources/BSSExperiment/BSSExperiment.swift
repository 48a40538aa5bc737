// BSSExperiment
