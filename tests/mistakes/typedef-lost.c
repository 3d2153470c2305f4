typedef struct {
    int a;
    int b : ;
    int [3] c;
} FOO, *PFOO;
FOO g;
int f(PFOO p) { FOO x; x.a = 1; return p->b + ((PFOO)p)->c; }
