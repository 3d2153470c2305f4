/*
 * wdfdmaenabler.h: the direction of a DMA transfer, which the pages about completing requests name.
 * Follows the wdfdmaenabler.h pages.
 */
#ifndef _WDFDMAENABLER_H_
#define _WDFDMAENABLER_H_

typedef enum _WDF_DMA_DIRECTION {
    WdfDmaDirectionReadFromDevice = FALSE,
    WdfDmaDirectionWriteToDevice = TRUE
} WDF_DMA_DIRECTION;

#endif
