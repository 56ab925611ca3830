/* SPDX-License-Identifier: MIT */
/*
 * gfp.h: what a caller of the guest's allocators asks for besides a size. Linux's names, values and meaning.
 */
#ifndef KVMAP_GFP_H
#define KVMAP_GFP_H

#define __GFP_DMA            0x01u     /* below 16 MiB */
#define __GFP_DMA32          0x04u     /* below 4 GiB */
#define __GFP_HIGH           0x20u     /* urgent. There is no reserve that it could open here */
#define __GFP_IO             0x40u     /* says nothing here: there is no I/O */
#define __GFP_FS             0x80u     /* nor a file system */
#define __GFP_ZERO           0x100u    /* all of it is zero */
#define __GFP_DIRECT_RECLAIM 0x400u    /* before it fails, what waits for a flush may be flushed and reused */
#define __GFP_KSWAPD_RECLAIM 0x800u    /* says nothing here: nothing is reclaimed behind the caller's back */
#define __GFP_NOWARN         0x2000u   /* that it is refused needs no warning */
#define __GFP_NOFAIL         0x8000u   /* refused: any allocation here may fail */
#define __GFP_THISNODE       0x200000u /* from that node or not at all */

#define __GFP_RECLAIM (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)

#define GFP_KERNEL (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_ATOMIC (__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_NOWAIT (__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_DMA    __GFP_DMA
#define GFP_DMA32  __GFP_DMA32

#endif
