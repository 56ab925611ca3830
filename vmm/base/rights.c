/* SPDX-License-Identifier: MIT */
#include "base/rights.h"

const char *rights_text(unsigned int rights, char out[RIGHTS_TEXT_SIZE])
{
	out[0] = rights & RIGHT_R ? 'r' : '-';
	out[1] = rights & RIGHT_W ? 'w' : '-';
	out[2] = rights & RIGHT_X ? 'x' : '-';
	out[3] = rights & RIGHT_U ? 'u' : '\0';
	out[4] = '\0';
	return out;
}
