// A request goes out without having been formatted (RULE-08, RULE-59).
void Run(WDFIOTARGET Target, WDFREQUEST Request)
{
    WdfRequestSend(Request, Target, WDF_NO_SEND_OPTIONS);
}
