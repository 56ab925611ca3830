/* SPDX-License-Identifier: MIT */
/* place.c: another folder has a file and in it a static variable of the same names. */

static int place = 2;

int *const place_of_south = &place;
