using namespace std;
int main()
{
    cout << "hello" << endl;
    std::cout << "x";
    return 0;
}
