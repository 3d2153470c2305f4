#pragma once
#include "../counters.h" // beside the file that includes it, one folder up
typedef enum _COLOUR {
#define COLOUR_ROW(name, value) Colour##name,
#include "colours.inc"
    ColourCount
} COLOUR;

extern PCSTR const ColourNames[];
int ColourValue(COLOUR Colour);
