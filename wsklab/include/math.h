/* math.h: what a program with a main computes with. */
#ifndef _WSKLAB_MATH_H_
#define _WSKLAB_MATH_H_

double sin(double x);
double cos(double x);
double tan(double x);
double atan(double x);
double atan2(double y, double x);
double exp(double x);
double log(double x);
double log10(double x);
double pow(double x, double y);
double sqrt(double x);
double floor(double x);
double ceil(double x);
double fmod(double x, double y);
double fabs(double x);

#endif
