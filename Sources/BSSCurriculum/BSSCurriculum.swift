// BSSCurriculum
