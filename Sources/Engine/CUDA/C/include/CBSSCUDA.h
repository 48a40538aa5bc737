// What Swift needs of NVIDIA's libraries and of the kernels.
#pragma once
#include "bss_cuda_driver.h"
#include "bss_launch.h"
#include "bss_linear.h"
#include "bss_plan.h"
#include "bss_texts.h"
