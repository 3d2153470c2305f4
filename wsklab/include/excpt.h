/*
 * excpt.h: names of structured exception handling. The blocks themselves (__try, __except, __finally) are not supported:
 * the machine stops at a bad access instead of raising.
 * Follows the page "Handling exceptions" of the kernel guide.
 */
#ifndef _WSKLAB_EXCPT_H_
#define _WSKLAB_EXCPT_H_

#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)
unsigned long GetExceptionCode(void);

#endif
