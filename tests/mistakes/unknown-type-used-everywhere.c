NTSTATUS f(PMY_CONTEXT c) { c->x = 1; return STATUS_SUCCESS; }
NTSTATUS g(PMY_CONTEXT c) { MY_CONTEXT d; d.x = 2; return y; }
