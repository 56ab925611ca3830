/* SPDX-License-Identifier: MIT */
#include "base/page.h"

const char *page_size_name(uint64_t size)
{
	return size >= PAGE_1G ? "1G" : size >= PAGE_2M ? "2M" : "4K";
}
