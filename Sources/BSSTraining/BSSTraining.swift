// BSSTraining
