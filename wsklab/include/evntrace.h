/*
 * evntrace.h: levels of trace messages, and what the WPP preprocessor makes of the words in a driver.
 *
 * Rule: a trace message is a line on the lab's console, whatever its flag; the flags' names need not exist.
 * Follows the pages "DoTraceMessage", "WPP_INIT_TRACING for kernel-mode drivers" and "WPP_CLEANUP".
 */
#ifndef _WSKLAB_EVNTRACE_H_
#define _WSKLAB_EVNTRACE_H_

#define TRACE_LEVEL_NONE 0
#define TRACE_LEVEL_CRITICAL 1
#define TRACE_LEVEL_FATAL 1
#define TRACE_LEVEL_ERROR 2
#define TRACE_LEVEL_WARNING 3
#define TRACE_LEVEL_INFORMATION 4
#define TRACE_LEVEL_VERBOSE 5
void wsklab_trace_message(const char *Format, ...);
#define wsklab_trace_hexdump(Level, Flags, Format, ...) wsklab_trace_message("%s", Format)
#define DoTraceMessage(Flag, ...) wsklab_trace_message(__VA_ARGS__)
#define WPP_INIT_TRACING(DriverObject, RegistryPath) ((void)(DriverObject), (void)(RegistryPath))
#define WPP_CLEANUP(DriverObject) ((void)(DriverObject))

#endif
