/* SPDX-License-Identifier: MIT */
/* many.c: one of many units, with many variables and types that no test searches for. UNIT is its number. */
#define GLUE2(a, b) a##b
#define GLUE(a, b)  GLUE2(a, b)
#define ONE(letters)                                                                                         \
	struct GLUE(type_##letters##_, UNIT) {                                                               \
		int number;                                                                                  \
	} GLUE(letters##_, UNIT)
#define FOUR(letters)                                                                                        \
	ONE(letters##a);                                                                                     \
	ONE(letters##b);                                                                                     \
	ONE(letters##c);                                                                                     \
	ONE(letters##d)
#define SIXTEEN(letters)                                                                                     \
	FOUR(letters##a);                                                                                    \
	FOUR(letters##b);                                                                                    \
	FOUR(letters##c);                                                                                    \
	FOUR(letters##d)

SIXTEEN(a);
SIXTEEN(b);
SIXTEEN(c);
SIXTEEN(d);
