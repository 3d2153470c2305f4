enum color { RED; GREEN; BLUE };
enum shade { LIGHT, DARK }
int f(void) { return RED + LIGHT + y; }
