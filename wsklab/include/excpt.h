/*
 * excpt.h: structured exception handling, as far as the kit has it.
 *
 * Rule: the machine stops at a bad access instead of raising, so a `__try` block always runs to its end, a `__finally` block
 * follows it and an `__except` block is compiled but not entered. `__leave` is not supported.
 * Follows the page "Handling exceptions" of the kernel guide.
 */
#ifndef _WSKLAB_EXCPT_H_
#define _WSKLAB_EXCPT_H_

#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

#define __try if (1)
#define __except(filter) else if (((void)(filter)), 0)
#define __finally

unsigned long GetExceptionCode(void);
#define _exception_code GetExceptionCode

#endif
