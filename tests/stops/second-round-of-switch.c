// A switch is entered behind the declaration, in every round of the loop.
int Run(void)
{
    int Index, Total = 0;

    for (Index = 0; Index < 3; Index++) {
        switch (Index) {
            int Value;
        case 0:
            Value = 4;
        default:
            Total += Value;
        }
    }
    return Total;
}
